"""What is kept on this machine between commands: the answers of catalog servers."""
