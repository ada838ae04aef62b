-- SPDX-License-Identifier: ISC
-- An error that nobody catches.
local function inner() error("deliberate") end
io.write("before\n")
inner()
