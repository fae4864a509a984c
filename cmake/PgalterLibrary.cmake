# pgalter_options: what every target of ours is compiled with. pgalter_library(): one static library a folder.
add_library(pgalter_options INTERFACE)
target_include_directories(pgalter_options INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)
target_compile_options(pgalter_options INTERFACE -Wall -Wextra -Wshadow -Wconversion -Werror)
# g++ 12 at -O3 takes the insertion in `"text" + std::string` for an overlapping copy (GCC bug 105651), and a
# string's own buffer for uninitialised (GCC bug 105593). The dev build still warns, and the sanitizers judge better.
target_compile_options(pgalter_options INTERFACE $<$<CONFIG:Release>:-Wno-restrict -Wno-maybe-uninitialized>)
target_compile_definitions(pgalter_options INTERFACE
  BOOST_ASIO_NO_DEPRECATED
  SPDLOG_COMPILED_LIB SPDLOG_FMT_EXTERNAL
  $<$<BOOL:${PGALTER_TEST_HOOKS}>:PGALTER_TEST_HOOKS>)

# pgalter_library(NAME SOURCES a.cc … DEPS lib …)
#   The folder's library. Headers stand beside the sources; DEPS are public, since headers include headers.
function(pgalter_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC pgalter_options ${ARG_DEPS})
endfunction()
