# The HTTP/1 parser: the system's llhttp, or the copy in third_party. Either is the target
# asyncio_llhttp; ASYNCIO_HAS_SYSTEM_LLHTTP says which.
set(ASYNCIO_SYSTEM_LLHTTP AUTO CACHE STRING "Use the system's llhttp: AUTO, ON or OFF")
set_property(CACHE ASYNCIO_SYSTEM_LLHTTP PROPERTY STRINGS AUTO ON OFF)
set(ASYNCIO_HAS_SYSTEM_LLHTTP OFF)
if(NOT ASYNCIO_SYSTEM_LLHTTP STREQUAL "OFF")
  find_package(PkgConfig)
  if(PkgConfig_FOUND)
    pkg_check_modules(libllhttp IMPORTED_TARGET libllhttp>=9.2.1)
  endif()
  if(libllhttp_FOUND)
    set(ASYNCIO_HAS_SYSTEM_LLHTTP ON)
  elseif(NOT ASYNCIO_SYSTEM_LLHTTP STREQUAL "AUTO")
    message(FATAL_ERROR "asyncio: there is no llhttp 9.2.1 or newer; on Debian 13: apt install "
      "libllhttp-dev, or leave ASYNCIO_SYSTEM_LLHTTP at AUTO for the copy in third_party")
  endif()
endif()

if(ASYNCIO_HAS_SYSTEM_LLHTTP)
  add_library(asyncio_llhttp INTERFACE)
  target_link_libraries(asyncio_llhttp INTERFACE PkgConfig::libllhttp)
  return()
endif()

enable_language(C)  # for these three files alone
set(llhttp_folder "${PROJECT_SOURCE_DIR}/third_party/llhttp")
add_library(asyncio_llhttp OBJECT
  "${llhttp_folder}/api.c" "${llhttp_folder}/http.c" "${llhttp_folder}/llhttp.c")
target_include_directories(asyncio_llhttp SYSTEM INTERFACE "${llhttp_folder}")
set_target_properties(asyncio_llhttp PROPERTIES
  POSITION_INDEPENDENT_CODE ON C_VISIBILITY_PRESET hidden)
# Its code is a jump table that no debugger is of use in: optimized in every build, or a debug
# build's fuzzing and tests spend their time here.
target_compile_options(asyncio_llhttp PRIVATE -w -O2)
