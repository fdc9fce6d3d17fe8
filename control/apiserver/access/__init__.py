"""Who may do what: roles and their bindings, tokens of service accounts, reviews, impersonation."""
