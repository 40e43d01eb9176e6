"""The solution on AWS, on one's desk: its template, its pipeline and its API with moto and Docker."""
