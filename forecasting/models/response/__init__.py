"""The price response in parts: what shoppers see (`features`), the regression (`fit`), how far it errs (`spread`)."""
