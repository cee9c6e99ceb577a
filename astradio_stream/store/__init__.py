"""What must survive a restart: accounts, charts, compositions, and answers already given."""
