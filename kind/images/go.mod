// The small programs of `--cluster kind --offline` that have no published image there. The standard library is enough for them.
module tidegate.dev/kind/images

go 1.26.0
