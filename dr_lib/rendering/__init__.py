"""Evidence as a page and a PDF. What a page shows comes from proven evidence, and is not trusted all the same.

Its libraries come with `pip install dr-lib[render]` and are imported when something is rendered.
"""
