"""What goes over the wire and comes back: keys and texts of inputs, the API's bodies, event streams, packs of rows. Pure."""
