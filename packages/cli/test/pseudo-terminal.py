"""Runs a command on a terminal of its own and types for it; arguments: a JSON list of [text to wait for, what to type], the command.
The terminal is as wide as TERMINAL_COLUMNS says. Prints what it showed; ends with the command's exit code."""

import fcntl
import json
import os
import pty
import struct
import sys
import termios

steps = json.loads(sys.argv[1])
pid, terminal = pty.fork()
if pid == 0:
    size = struct.pack("HHHH", 24, int(os.environ.get("TERMINAL_COLUMNS", "80")), 0, 0)
    fcntl.ioctl(0, termios.TIOCSWINSZ, size)
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
