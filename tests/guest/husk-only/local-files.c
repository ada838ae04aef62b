/* SPDX-License-Identifier: ISC */
/*
 * Argument: the tree, in a read-only mount. What guest-rt serves itself beside it: /tmp with its
 * limit, /dev, /etc; ways between them and the mount.
 */
#include "../check.h"
#include "../tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

static void check_limit(void)
{
    static char block[1 << 20];
    uint64_t total = 0;
    char *view;
    int fd = open("/tmp/large", O_RDWR | O_CREAT, 0600);
    struct statfs fs;
    ssize_t done;

    check(statfs("/tmp", &fs) == 0 && fs.f_type == 0x01021994, "/tmp is a tmpfs");
    while ((done = write(fd, block, sizeof block)) > 0)
        total += (uint64_t)done;
    check_error(done, ENOSPC, "write beyond the limit");
    check(total == fs.f_blocks * 4096, "all of it can be used");
    check(ftruncate(fd, 0) == 0 && pwrite(fd, block, 4096, 0) == 4096, "room again");
    view = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    check(view != MAP_FAILED && pwrite(fd, "x", 1, 100) == 1 && view[100] == 'x', "shared mapping");
    check_error(ftruncate(fd, (off_t)(fs.f_blocks + 1) * 4096), ENOSPC, "it has the same limit");
    munmap(view, 8192);
    close(fd);
    check(unlink("/tmp/large") == 0 && statfs("/tmp", &fs) == 0 && fs.f_bfree == fs.f_blocks,
          "all is free again");
}

/* Not getservbyname, of which the linker warns in static programs of glibc's. */
static bool has_line(const char *path, const char *wanted)
{
    FILE *file = fopen(path, "r");
    char line[200];
    bool found = false;

    while (file && fgets(line, sizeof line, file))
        found |= strncmp(line, wanted, strlen(wanted)) == 0;
    if (file)
        fclose(file);
    return found;
}

static void check_names_of_services(void)
{
    check(has_line("/etc/services", "https 443/tcp\n"), "https is port 443");
    check(has_line("/etc/protocols", "udp 17 "), "udp is protocol 17");
    check_error(open("/etc/services", O_RDWR), EACCES, "/etc/services for writing");
}

static void check_nodes(void)
{
    check_error(mkfifo("/tmp/fifo", 0600), EPERM, "no FIFO is made");
    check(mknod("/tmp/node", S_IFREG | 0600, 0) == 0 && unlink("/tmp/node") == 0, "but files are");
}

/* What df and others read: the tree is in a read-only mount. */
static void check_mounts(void)
{
    bool volume = false, temporary = false;
    FILE *mounts = setmntent("/etc/mtab", "r");
    const struct mntent *entry;

    while (mounts && (entry = getmntent(mounts))) {
        volume |= strcmp(entry->mnt_dir, tree_root) == 0 && hasmntopt(entry, "ro");
        temporary |= strcmp(entry->mnt_dir, "/tmp") == 0 && hasmntopt(entry, "rw") &&
                     strcmp(entry->mnt_type, "tmpfs") == 0;
    }
    check(volume, "the tree is in the table of mounts");
    check(temporary, "/tmp is too");
    if (mounts)
        endmntent(mounts);
}

static void check_links_from_mount(void)
{
    char text[8] = "";
    int fd = open(in_tree("outside/tmp/new"), O_RDWR | O_CREAT, 0600);

    check(fd >= 0 && write(fd, "text", 4) == 4, "create by a link from the mount");
    close(fd);
    fd = open("/tmp/new", O_RDONLY);
    check(read(fd, text, 8) == 4, "read it");
    close(fd);
    check(access(in_tree("outside/null"), W_OK) == 0, "link to a device");
    check(mkdir(in_tree("outside/tmp/dir"), 0755) == 0, "mkdir");
    check(rename(in_tree("outside/tmp/new"), "/tmp/dir/moved") == 0, "rename");
    check_error(rename("/tmp/dir/moved", in_tree("files/x")), EXDEV, "rename into the mount");
    check_error(link("/tmp/dir/moved", in_tree("files/x")), EXDEV, "link into the mount");
    check_error(link(in_tree("files/text"), "/tmp/x"), EXDEV, "link out of the mount");
    check_error(rmdir(in_tree("outside/tmp")), EROFS, "rmdir of the link");
}

static void check_links_to_mount(void)
{
    char path[PATH_MAX];

    check(symlink(tree_root, "/tmp/tree") == 0, "symlink to the mount");
    check(access("/tmp/tree/files/text", R_OK) == 0, "path by it");
    check(access("/tmp/tree/outside/tmp/tree/files/text", R_OK) == 0, "path there and back");
    check(symlink(in_tree("outside/round"), "/tmp/round") == 0, "symlink");
    check_error(access("/tmp/round", F_OK), ELOOP, "a loop through both");
    check(chdir("/tmp/tree/outside/tmp/dir") == 0 && getcwd(path, sizeof path), "chdir by them");
    check(strcmp(path, "/tmp/dir") == 0, "getcwd");
    check(chdir("../../dev") == 0 && access("null", F_OK) == 0, "and on");
}

static void check_mount_points(void)
{
    struct stat one, other;

    check_error(rmdir("/tmp"), EBUSY, "rmdir of /tmp");
    check_error(rename("/tmp", "/x"), EBUSY, "rename of /tmp");
    check_error(mkdir("/tmp", 0755), EEXIST, "mkdir of /tmp");
    check_error(mkdir("/x", 0755), EROFS, "mkdir in the root");
    check_error(unlink("/dev/null"), EROFS, "unlink of a device");
    check_error(open("/dev/new", O_WRONLY | O_CREAT, 0600), EROFS, "create in /dev");
    check_error(open("/etc/passwd", O_WRONLY), EACCES, "/etc/passwd for writing");
    check(stat("/tmp", &one) == 0 && stat("/etc/../tmp/./", &other) == 0, "stat");
    check(one.st_ino == other.st_ino && one.st_dev == other.st_dev, "the same");
    check(stat("/dev", &other) == 0 && one.st_dev != other.st_dev, "devices differ");
}

static void check_root(void)
{
    unsigned found = 0;
    DIR *dir = opendir("/");

    for (struct dirent *entry; (entry = readdir(dir));)
        found += strcmp(entry->d_name, "tmp") == 0 || strcmp(entry->d_name, "dev") == 0 ||
                 strcmp(entry->d_name, "proc") == 0 || strcmp(entry->d_name, "etc") == 0;
    closedir(dir);
    check(found == 4, "listed in the root");
}

int main(int argc, char **argv)
{
    find_tree(argc, argv);
    check_limit();
    check_names_of_services();
    check_nodes();
    check_mounts();
    check_links_from_mount();
    check_links_to_mount();
    check_mount_points();
    check_root();
    return exit_status();
}
