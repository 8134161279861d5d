-- The harness' common parts, and IDS: ids of tickets that exist, from the file that the environment names.
dofile(os.getenv("LOAD_DIR") .. "/common.lua")
IDS = {}
for id in io.lines(os.getenv("IDS")) do IDS[#IDS + 1] = id end
