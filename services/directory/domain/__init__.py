"""The nouns and rules of directory. Pure."""
