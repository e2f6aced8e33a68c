"""Gates that SQL cannot be: what Python made must hold before anything is built on it or published."""
