# How targets of this project are made: warnings, language level, and the layers of the library.

# C++20 without extensions and our warnings; neither reaches who links the target.
function(asyncio_set_compile_options target)
  set_target_properties(${target} PROPERTIES
    CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wshadow -Woverloaded-virtual -Wcast-qual
    $<$<BOOL:${ASYNCIO_WERROR}>:-Werror>)
endfunction()

# asyncio_add_layer(<name> SOURCES <file>... LINKS <target>...)
# Makes the library asyncio_<name>, inside the project asyncio::<name>.
function(asyncio_add_layer name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINKS")
  set(target asyncio_${name})
  if(NOT arg_SOURCES)  # a layer whose first source is still to come
    file(CONFIGURE OUTPUT empty.cpp CONTENT "")
    set(arg_SOURCES ${CMAKE_CURRENT_BINARY_DIR}/empty.cpp)
  endif()
  add_library(${target} ${arg_SOURCES})
  add_library(asyncio::${name} ALIAS ${target})
  asyncio_set_compile_options(${target})
  # As clang: a function of the library may be inlined in the library.
  target_compile_options(${target} PRIVATE
    $<$<CXX_COMPILER_ID:GNU>:-fno-semantic-interposition>)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_include_directories(${target}
    PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
           $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
    PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(${target} PUBLIC ${arg_LINKS})
  set_target_properties(${target} PROPERTIES
    POSITION_INDEPENDENT_CODE ON  # so that a static library may go into somebody's shared one
    EXPORT_NAME ${name} VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
endfunction()
