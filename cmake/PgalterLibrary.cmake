# pgalter_options: what every target of ours is compiled with. pgalter_library(): one static library a folder.
add_library(pgalter_options INTERFACE)
target_include_directories(pgalter_options INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)
target_compile_options(pgalter_options INTERFACE -Wall -Wextra -Wshadow -Wconversion -Werror)
# What g++ 12 infers of sizes and values from inlined strings is mostly wrong (GCC bugs 105329, 105593, 105651), and
# precompiled headers make it say so of the library's own code. The sanitizers judge better.
target_compile_options(pgalter_options INTERFACE
  -Wno-array-bounds
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread>)
# g++ 12 takes Asio's own pair of coroutine frame functions for a mismatch once it inlines one of them.
target_compile_options(pgalter_options INTERFACE -Wno-mismatched-new-delete)
# The libraries' definitions stand here for all, since a precompiled header is only taken where they agree.
target_compile_definitions(pgalter_options INTERFACE
  BOOST_ASIO_NO_DEPRECATED
  BOOST_CONTAINER_DYN_LINK BOOST_CONTAINER_NO_LIB BOOST_JSON_DYN_LINK BOOST_JSON_NO_LIB
  FMT_SHARED SPDLOG_COMPILED_LIB SPDLOG_FMT_EXTERNAL)

# Precompiled: reading the libraries' headers anew in every source was half of a build. A source still includes all it
# uses, which clang-tidy checks: it is run without these. Only names as a compiler finds them by itself: with a path in
# the list, ccache would take the trees of two checkouts for different.
set(pgalter_precompiled_plain
  <algorithm> <array> <chrono> <cstdint> <filesystem> <functional> <map> <memory> <optional> <ranges> <set> <span>
  <string> <string_view> <unordered_map> <utility> <variant> <vector> <fmt/format.h>)
set(pgalter_precompiled ${pgalter_precompiled_plain} <boost/asio.hpp> <boost/json.hpp>)
foreach(kind plain "")
  string(JOIN _ name pgalter_headers ${kind})
  string(JOIN _ list pgalter_precompiled ${kind})
  add_library(${name} OBJECT ${PROJECT_SOURCE_DIR}/cmake/headers.cc)
  target_link_libraries(${name} PUBLIC pgalter_options)
  target_precompile_headers(${name} PRIVATE ${${list}})
endforeach()

# pgalter_library(NAME SOURCES a.cc … DEPS lib … [PRECOMPILE header …])
#   The folder's library. Headers stand beside the sources; DEPS are public, since headers include headers. PRECOMPILE
#   names what nearly all of this folder's sources read besides pgalter_precompiled. A room that has nothing to do with
#   connections sets `pgalter_room_headers` to pgalter_headers_plain: a third of a second less for each of its sources.
function(pgalter_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;PRECOMPILE" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC pgalter_options ${ARG_DEPS})
  if(ARG_PRECOMPILE)
    target_precompile_headers(${name} PRIVATE ${pgalter_precompiled_plain} ${ARG_PRECOMPILE})
  else()
    if(NOT pgalter_room_headers)
      set(pgalter_room_headers pgalter_headers)
    endif()
    target_precompile_headers(${name} REUSE_FROM ${pgalter_room_headers})
  endif()
endfunction()
