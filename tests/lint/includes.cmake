cmake_minimum_required(VERSION 3.25)
# Fails when a library that has one place is used elsewhere.
#   header pattern : files that may include it
set(rules
    "cblas\\.h:tests/bench/bench_gemm\\.c"
    "uv\\.h:common/net/.*"
    "mpi\\.h:common/net/.*|tests/mpi/.*"
    "control\\.pb-c\\.h:common/net/codec.*"
    "yaml\\.h:common/conf/.*"
    "zlib\\.h:common/data/.*|tests/unit/data/.*"
    "pcre2\\.h:common/text/.*"
    "xxhash\\.h:common/base/hash\\.c")
file(GLOB_RECURSE sources RELATIVE ${ROOT} ${ROOT}/common/*.[ch] ${ROOT}/coordinator/*.[ch]
     ${ROOT}/worker/*.[ch] ${ROOT}/tests/*.[ch])
set(bad "")
foreach(source ${sources})
  file(STRINGS ${ROOT}/${source} includes REGEX "^#include")
  foreach(rule ${rules})
    string(REGEX MATCH "^([^:]+):(.*)$" _ "${rule}")
    set(header ${CMAKE_MATCH_1})
    set(places ${CMAKE_MATCH_2})
    if("${includes}" MATCHES "[</\"]${header}[>\"]" AND NOT "${source}" MATCHES "^(${places})$")
      string(APPEND bad "\n  ${source} includes ${header}, which belongs to ${places}")
    endif()
  endforeach()
endforeach()
if(bad)
  message(FATAL_ERROR "includes:${bad}")
endif()
