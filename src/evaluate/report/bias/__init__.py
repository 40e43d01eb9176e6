"""The part of a page that compares facets: sentences, tables and charts."""
