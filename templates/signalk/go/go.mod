module my-plugin

go 1.24
