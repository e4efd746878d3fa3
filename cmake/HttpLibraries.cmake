# What asyncio::http is built on: the target PkgConfig::asyncio_http_libraries, made of
# ASYNCIO_HTTP_MODULES, and ASYNCIO_HTTP_DEFINITIONS.
set(ASYNCIO_HTTP_MODULES liburiparser>=0.9.7 libidn2>=2.3 zlib)
set(ASYNCIO_HTTP_DEFINITIONS)
find_package(PkgConfig)
if(PkgConfig_FOUND)
  pkg_check_modules(asyncio_http_needed QUIET ${ASYNCIO_HTTP_MODULES})
endif()
if(NOT asyncio_http_needed_FOUND)
  message(FATAL_ERROR "asyncio: asyncio::http needs pkg-config, uriparser, libidn2 and zlib; on "
    "Debian: apt install pkg-config liburiparser-dev libidn2-dev zlib1g-dev; "
    "-DASYNCIO_BUILD_HTTP=OFF leaves it out")
endif()

# asyncio_http_option(<name> <module>... ): compiles that part in if its libraries are there.
function(asyncio_http_option name)
  option(ASYNCIO_HTTP_${name} "Build asyncio::http with ${ARGN} if it is there" ON)
  if(NOT ASYNCIO_HTTP_${name})
    return()
  endif()
  pkg_check_modules(asyncio_http_${name} QUIET ${ARGN})
  if(asyncio_http_${name}_FOUND)
    set(ASYNCIO_HTTP_MODULES ${ASYNCIO_HTTP_MODULES} ${ARGN} PARENT_SCOPE)
    set(ASYNCIO_HTTP_DEFINITIONS ${ASYNCIO_HTTP_DEFINITIONS} ASYNCIO_HAS_${name} PARENT_SCOPE)
  else()
    message(NOTICE "asyncio: there is no ${ARGN}; asyncio::http is built without")
  endif()
endfunction()
asyncio_http_option(BROTLI libbrotlidec libbrotlienc)
asyncio_http_option(ZSTD libzstd)
asyncio_http_option(LIBPSL libpsl)
asyncio_http_option(NGHTTP2 libnghttp2>=1.52)

pkg_check_modules(asyncio_http_libraries REQUIRED QUIET IMPORTED_TARGET ${ASYNCIO_HTTP_MODULES})

# Distributions have taken these limits into older versions: asked for is what is there.
if("ASYNCIO_HAS_NGHTTP2" IN_LIST ASYNCIO_HTTP_DEFINITIONS)
  include(CheckSymbolExists)
  set(CMAKE_REQUIRED_LIBRARIES PkgConfig::asyncio_http_libraries)
  foreach(limit RESETS=stream_reset_rate_limit CONTINUATIONS=max_continuations)
    string(REGEX MATCH "(.*)=(.*)" _ ${limit})
    set(name ASYNCIO_NGHTTP2_LIMITS_${CMAKE_MATCH_1})
    check_symbol_exists(nghttp2_option_set_${CMAKE_MATCH_2} nghttp2/nghttp2.h ${name})
    if(${name})
      list(APPEND ASYNCIO_HTTP_DEFINITIONS ${name})
    endif()
  endforeach()
  unset(CMAKE_REQUIRED_LIBRARIES)
endif()
