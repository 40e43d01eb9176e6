"""From which score on a row is called positive: the rules, and the curve that they choose on."""
