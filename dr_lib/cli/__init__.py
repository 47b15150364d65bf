"""`drctl`: one module a command, over the runtime facade. Errors become messages and exit codes in `main`."""
