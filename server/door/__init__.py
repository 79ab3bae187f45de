"""Everything between the network and a handler: connections, limits, origins, headers, who asks."""
