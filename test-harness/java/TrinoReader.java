import static io.trino.testing.TestingSession.testSessionBuilder;

import io.trino.plugin.iceberg.IcebergPlugin;
import io.trino.testing.DistributedQueryRunner;
import io.trino.testing.MaterializedRow;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.HashMap;
import java.util.Map;

/**
 * Trino with its Iceberg connector in one process. Arguments are properties of the catalog `lake` (name=value); each line of the standard input is a
 * query of one text column, whose rows are printed, then a line with a single dot.
 */
public class TrinoReader {
    public static void main(String[] arguments) throws Exception {
        Map<String, String> properties = new HashMap<>();
        for (String argument : arguments) {
            String[] pair = argument.split("=", 2);
            properties.put(pair[0], pair[1]);
        }
        var session = testSessionBuilder().setCatalog("lake").setSchema("db").build();
        try (var runner = DistributedQueryRunner.builder(session).setWorkerCount(0).build()) {
            runner.installPlugin(new IcebergPlugin());
            runner.createCatalog("lake", "iceberg", properties);
            var queries = new BufferedReader(new InputStreamReader(System.in));
            for (String query = queries.readLine(); query != null; query = queries.readLine()) {
                for (MaterializedRow row : runner.execute(query).getMaterializedRows()) {
                    System.out.println(row.getField(0));
                }
                System.out.println(".");
            }
        }
        System.exit(0);
    }
}
