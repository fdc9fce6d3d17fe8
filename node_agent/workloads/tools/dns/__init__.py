"""`dig`, `nslookup` and `host`: questions to DNS servers, and answers as they show them."""
