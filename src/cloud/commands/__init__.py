"""What a person does with the solution on AWS, from launching it to seeing that nothing is left."""
