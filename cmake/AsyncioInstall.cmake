# Install rules: the libraries, the headers, a CMake package and a pkg-config file.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/asyncio)

install(TARGETS asyncio_core asyncio_backend asyncio_net asyncio_asyncio asyncio_testing
  EXPORT asyncio-targets)
set(header_patterns PATTERN "*.hpp")
if(ASYNCIO_BUILD_HTTP)
  install(TARGETS asyncio_http EXPORT asyncio-targets)
  if(NOT ASYNCIO_HAS_SYSTEM_LLHTTP)
    install(FILES "${PROJECT_SOURCE_DIR}/third_party/llhttp/LICENSE-MIT"
      DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME LICENSE-llhttp)
  endif()
else()
  list(APPEND header_patterns PATTERN "asyncio/http.hpp" EXCLUDE PATTERN "asyncio/http" EXCLUDE
    PATTERN "asyncio/web.hpp" EXCLUDE PATTERN "asyncio/web" EXCLUDE)
endif()
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/asyncio" DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING ${header_patterns})
install(EXPORT asyncio-targets NAMESPACE asyncio:: DESTINATION ${package_dir})

configure_package_config_file(
  "${CMAKE_CURRENT_LIST_DIR}/asyncio-config.cmake.in" "${PROJECT_BINARY_DIR}/asyncio-config.cmake"
  INSTALL_DESTINATION ${package_dir} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/asyncio-config-version.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES
  "${PROJECT_BINARY_DIR}/asyncio-config.cmake" "${PROJECT_BINARY_DIR}/asyncio-config-version.cmake"
  DESTINATION ${package_dir})

# The .pc file finds its prefix from where it lies, so that the installed tree may move.
file(RELATIVE_PATH pc_to_prefix "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
# Who links static libraries has to name what they need, too.
set(pc_requires "libssl >= 3.0, libcrypto >= 3.0")
if(ASYNCIO_HAS_URING)
  string(PREPEND pc_requires "liburing, ")
endif()
if(BUILD_SHARED_LIBS)
  string(PREPEND pc_requires "Requires.private: ")
else()
  string(PREPEND pc_requires "Requires: ")
endif()
configure_file("${CMAKE_CURRENT_LIST_DIR}/asyncio.pc.in" "${PROJECT_BINARY_DIR}/asyncio.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/asyncio.pc" DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
if(ASYNCIO_BUILD_HTTP)
  list(JOIN ASYNCIO_HTTP_MODULES ", " pc_http_modules)
  if(ASYNCIO_HAS_SYSTEM_LLHTTP)
    string(APPEND pc_http_modules ", libllhttp>=9.2.1")
  endif()
  string(REPLACE ">=" " >= " pc_http_modules "${pc_http_modules}")
  set(pc_http_requires "Requires: asyncio = ${PROJECT_VERSION}")
  if(BUILD_SHARED_LIBS)
    string(APPEND pc_http_requires "\nRequires.private: ${pc_http_modules}")
  else()
    string(APPEND pc_http_requires ", ${pc_http_modules}")
  endif()
  configure_file("${CMAKE_CURRENT_LIST_DIR}/asyncio-http.pc.in"
    "${PROJECT_BINARY_DIR}/asyncio-http.pc" @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/asyncio-http.pc"
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endif()
