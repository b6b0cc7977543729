"""Serves moto, with one thing that AWS does and moto does not: UpdateTable of Glue compares the VersionId that it is given.

Arguments: those of moto_server.
"""

import sys
import threading

from moto.glue.exceptions import GlueClientError
from moto.glue.responses import GlueResponse
from moto.server import main

update_table = GlueResponse.update_table
one_at_a_time = threading.Lock()


def update_table_of_version(self):
    database = self.parameters["DatabaseName"]
    name = self.parameters["TableInput"]["Name"]
    expected = self.parameters.get("VersionId")
    with one_at_a_time:
        found = str(self.glue_backend.get_table(database, name).as_dict()["VersionId"])
        if expected is not None and expected != found:
            raise GlueClientError("ConcurrentModificationException", f"Version {expected} is not {found}.")
        return update_table(self)


GlueResponse.update_table = update_table_of_version
main(sys.argv[1:])
