"""Our engine and real peers on the same bytes, against the same S3 server, in the same run: `make bench`.

Every tool runs as its user would run it: its own program, its defaults, a process for each command.
Whatever is restored is compared with its source, outside the time that is taken.
"""
