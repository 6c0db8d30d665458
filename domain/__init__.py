"""The rules of trainfold: values in, values out. No IO, no clock, no framework."""
