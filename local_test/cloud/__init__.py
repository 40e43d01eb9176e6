"""The solution on AWS, on one's desk: its template, pipeline and API with moto and Docker."""
