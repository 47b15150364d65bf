"""Moving an endpoint's traffic to its other site, proven before and after, under a lease."""
