# `cmake --install`: the binary, and what a library of operators outside of the tree compiles
# against: find_package(huiliu), target huiliu::library. Such a library links with nothing, since the
# binary has what it uses (cmake/library_symbols.txt).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(headers ${CMAKE_INSTALL_INCLUDEDIR}/huiliu)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/huiliu)
foreach(folder IN LISTS HUILIU_HEADER_FOLDERS)
  install(DIRECTORY ${folder}/ DESTINATION ${headers}/${folder} FILES_MATCHING PATTERN "*.h")
endforeach()
install(FILES state/table.h state/table_scan.h state/views.h DESTINATION ${headers}/state)
install(FILES ${HUILIU_HEADERS_DIGEST} DESTINATION ${headers}/runtime/component)

add_library(huiliu_library INTERFACE)
set_target_properties(huiliu_library PROPERTIES EXPORT_NAME library)
target_compile_features(huiliu_library INTERFACE cxx_std_20)
target_include_directories(huiliu_library INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<BUILD_INTERFACE:${HUILIU_GENERATED}> $<INSTALL_INTERFACE:${headers}>)
install(TARGETS huiliu_library EXPORT huiliu)
install(EXPORT huiliu NAMESPACE huiliu:: FILE huiliuConfig.cmake DESTINATION ${package})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/huiliuConfigVersion.cmake COMPATIBILITY ExactVersion)
install(FILES ${PROJECT_BINARY_DIR}/huiliuConfigVersion.cmake DESTINATION ${package})
install(TARGETS huiliu_main RUNTIME)
