"""What people do, one function for each act: it checks rights and rules, and writes change and audit entry together."""
