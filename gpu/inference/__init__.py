"""Language models over HTTP: profiles of servers, one adapter, and the router that chooses between them."""
