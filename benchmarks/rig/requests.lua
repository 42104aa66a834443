-- wrk -s requests.lua URL -- FILE: sends the requests of a file, one after the other and again.
-- In the file each is preceded by its length on a line of its own.
local requests, count = {}, 0

function init(args)
  local file = assert(io.open(args[1], "rb"))
  for length in file:lines() do
    requests[#requests + 1] = file:read(tonumber(length))
  end
  file:close()
end

function request()
  count = count % #requests + 1
  return requests[count]
end
