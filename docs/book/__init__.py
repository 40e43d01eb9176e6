"""The book: the guide and what is made from the code, as a site. make docs"""
