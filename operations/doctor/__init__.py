"""What `trainfold doctor` checks of the database and the store; preflight asks the same."""
