"""Runs commands of the AWS CLI, each as its own entry point runs it, in one process: starting it takes longer than most commands.

Reads a JSON list of arguments per line, and answers each with a line of JSON: exit code, standard output, standard error.
"""

import contextlib
import io
import json
import sys

from awscli import clidriver


def run(arguments):
    output, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        try:
            # A driver keeps the endpoint of its first command. Version 2 has an entry point around it.
            entry = getattr(clidriver, "AWSCLIEntryPoint", clidriver.create_clidriver)
            code = entry().main(arguments)
        except SystemExit as end:
            code = end.code
    return {"code": code or 0, "stdout": output.getvalue(), "stderr": errors.getvalue()}


for line in sys.stdin:
    print(json.dumps(run(json.loads(line))), flush=True)
