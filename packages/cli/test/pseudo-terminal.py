"""Runs a command on a terminal of its own and types for it; arguments: a JSON list of [text to wait for, what to type], the command.
Prints what the terminal showed; ends with the command's exit code."""

import json
import os
import pty
import sys

steps = json.loads(sys.argv[1])
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
shown, at = "", 0
while True:
    try:
        piece = os.read(terminal, 4096)
    except OSError:
        break
    if not piece:
        break
    shown += piece.decode(errors="replace")
    while steps and steps[0][0] in shown[at:]:
        at = shown.index(steps[0][0], at) + len(steps[0][0])
        os.write(terminal, steps.pop(0)[1].encode())
sys.stdout.write(shown)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
