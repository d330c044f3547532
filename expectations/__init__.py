"""What we expect of the data: contracts of feeds, suites on marts, and the expectations that are our own."""
