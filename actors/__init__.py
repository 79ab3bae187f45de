"""The actors around the pure core. They see the world through `actors.ports` alone."""
