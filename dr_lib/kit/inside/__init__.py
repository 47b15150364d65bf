"""What lies in the kit beside `format/reader.py`. It runs on Python 3.10 to 3.14 and imports nothing of ours."""
