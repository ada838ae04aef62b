-- SPDX-License-Identifier: ISC
-- Lua's own libraries, garbage collection, coroutines and files. Arguments: a directory to write in,
-- and some words.
print(_VERSION, #arg, arg[0] ~= nil, ...)

local words = {}
for word in ("the quick brown fox jumps over the lazy dog"):gmatch("%a+") do
    words[#words + 1] = word
end
table.sort(words)
print(table.concat(words, " "), ("%5.2f|%-6s|%x"):format(math.pi, "left", 48879))
print(string.pack("<i4z", 7, "zero"):byte(1, -1))
print(utf8.char(72, 228, 8364, 128512), utf8.len("häß"))
print(7 // 2, 7 % -3, 2 ^ 0.5, 1e308 * 10, math.maxinteger + 1 == math.mininteger, 5 // 0.0)

local function primes(limit)
    return coroutine.wrap(function()
        local sieve = {}
        for i = 2, limit do
            if not sieve[i] then
                coroutine.yield(i)
                for k = i * i, limit, i do sieve[k] = true end
            end
        end
    end)
end
local sum, count = 0, 0
for p in primes(100000) do sum, count = sum + p, count + 1 end
print("primes", count, sum)

local collected = 0
for i = 1, 20000 do
    setmetatable({}, { __gc = function() collected = collected + 1 end })
end
collectgarbage()
print("collected", collected, collectgarbage("count") < 4096)

print(pcall(error, { code = 5 }), select("#", pcall(error)))
print(pcall(function() return nil + 1 end))
print(pcall(string.rep, "x", -1), (pcall(string.rep, "x", 1 << 60)))
local depth = 0
local function dive() depth = depth + 1; return 1 + dive() end
print("overflow caught", not pcall(dive), depth > 10000)

local name = arg[1] .. "/lines.txt"
local file = assert(io.open(name, "w"))
for i = 1, 1000 do file:write(i, " ", i * i, "\n") end
file:close()
local total = 0
for line in io.lines(name) do total = total + tonumber(line:match("%d+ (%d+)")) end
print("read back", total)
file = assert(io.open(name, "r+"))
print(file:seek("end"), file:seek("set", 4), file:read("n"), file:read("L"))
file:close()
assert(os.rename(name, arg[1] .. "/other.txt"))
print(io.open(name))
print(os.remove(arg[1] .. "/other.txt"), select(2, os.remove(name)))
print(os.time({ year = 2020, month = 2, day = 29, hour = 12 }) > 0, os.getenv("HUSK_NOT_THERE"))
print(os.clock() >= 0, type(os.tmpname), load("return 6 * 7")())
local total_bytes = 0
for i = 1, 50 do total_bytes = total_bytes + #(("x"):rep(i * 1000)) end
print(total_bytes)
