"""Hidden habits by subject: numbers and dates only, of which `parameters` holds one each."""
