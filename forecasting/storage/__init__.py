"""The only code that knows where bytes lie."""
