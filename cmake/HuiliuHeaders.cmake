# The headers that a library of operators is compiled against, and a digest of what they say, in the
# header runtime/component/headers_digest.h that is made when one of them changes. Binary and library
# compare it: a virtual function more has no size by which it could be noticed.
set(HUILIU_HEADER_FOLDERS runtime/base runtime/record runtime/component)
file(GLOB HUILIU_HEADERS CONFIGURE_DEPENDS
  ${PROJECT_SOURCE_DIR}/runtime/base/*.h ${PROJECT_SOURCE_DIR}/runtime/record/*.h
  ${PROJECT_SOURCE_DIR}/runtime/component/*.h ${PROJECT_SOURCE_DIR}/state/table.h
  ${PROJECT_SOURCE_DIR}/state/table_scan.h
  ${PROJECT_SOURCE_DIR}/state/views.h)
set(HUILIU_GENERATED ${PROJECT_BINARY_DIR}/generated)
set(HUILIU_HEADERS_DIGEST ${HUILIU_GENERATED}/runtime/component/headers_digest.h)
add_custom_command(OUTPUT ${HUILIU_HEADERS_DIGEST}
  COMMAND ${CMAKE_COMMAND} "-DHEADERS=${HUILIU_HEADERS}" -DFOLDER=${PROJECT_SOURCE_DIR}
    -DOUTPUT=${HUILIU_HEADERS_DIGEST} -P ${PROJECT_SOURCE_DIR}/cmake/headers_digest.cmake
  DEPENDS ${HUILIU_HEADERS} ${PROJECT_SOURCE_DIR}/cmake/headers_digest.cmake
  COMMENT "Digest of the headers that libraries include" VERBATIM)
add_custom_target(huiliu_headers_digest DEPENDS ${HUILIU_HEADERS_DIGEST})
target_include_directories(huiliu_settings INTERFACE ${HUILIU_GENERATED})
add_dependencies(huiliu_settings huiliu_headers_digest)
