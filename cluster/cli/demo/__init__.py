"""`kubehop demo`: ten scenarios on a cluster of their own, each a small function over a stage."""
