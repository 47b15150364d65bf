"""Serving: asking servers, what moves traffic between two of them, and putting a restored model in place."""
