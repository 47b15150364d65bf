"""The use cases over one configuration, grouped by what a person wants. `Runtime` is all of them."""
