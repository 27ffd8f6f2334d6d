"""What tests share: small worlds, made files and stand-ins for hubs, servers and browsers."""
