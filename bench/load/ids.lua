-- The common parts of the harness, and IDS: ids of existing tickets, from the file $IDS.
dofile(os.getenv("LOAD_DIR") .. "/common.lua")
IDS = {}
for id in io.lines(os.getenv("IDS")) do IDS[#IDS + 1] = id end
