"""OpenStack Swift with its S3 API on loopback: proxy, account, container and object server in one process.

Usage: /usr/bin/python3 swift-server.py FOLDER ACCESS_KEY SECRET_KEY
The access key is ACCOUNT:USER. Prints the port of the S3 API, and ends when its input ends.
"""

import eventlet

eventlet.monkey_patch()

import os
import sys

import eventlet.tpool
from eventlet import wsgi
from swift.common import storage_policy, utils
from swift.common.ring import RingBuilder
from swift.common.wsgi import loadapp

SERVERS = ('account', 'container', 'object')


class Quiet:
    def write(self, text):
        pass

    def flush(self):
        pass


class Cache:
    """What memcached is to Swift, for one process."""

    def __init__(self, app):
        self.app = app
        self.kept = {}

    def __call__(self, env, start_response):
        env['swift.cache'] = self
        return self.app(env, start_response)

    def get(self, key, raise_on_error=False):
        return self.kept.get(key)

    def set(self, key, value, time=0, raise_on_error=False, **_):
        self.kept[key] = value

    def delete(self, key, **_):
        self.kept.pop(key, None)

    def incr(self, key, delta=1, time=0):
        self.kept[key] = self.kept.get(key, 0) + delta
        return self.kept[key]


def main(folder, access_key, secret_key):
    devices = os.path.join(folder, 'devices')
    os.makedirs(os.path.join(devices, 'disk'))
    write(
        folder,
        'swift.conf',
        '[swift-hash]\nswift_hash_path_suffix = test\nswift_hash_path_prefix = test\n'
        '[storage-policy:0]\nname = only\ndefault = yes\n',
    )
    utils.set_swift_dir(folder)
    storage_policy.reload_storage_policies()
    sockets = {name: eventlet.listen(('127.0.0.1', 0)) for name in (*SERVERS, 'proxy')}
    for name in SERVERS:
        make_ring(folder, name, sockets[name].getsockname()[1])
        text = (
            f'[DEFAULT]\nswift_dir = {folder}\ndevices = {devices}\nmount_check = false\nlog_level = CRITICAL\n'
            f'[pipeline:main]\npipeline = {name}-server\n[app:{name}-server]\nuse = egg:swift#{name}\n'
        )
        serve(loadapp(write(folder, f'{name}.conf', text), allow_modify_pipeline=False), sockets[name])
    account, user = access_key.split(':')
    text = (
        f'[DEFAULT]\nswift_dir = {folder}\nlog_level = CRITICAL\n'
        '[pipeline:main]\npipeline = catch_errors s3api tempauth slo proxy-server\n'
        '[filter:catch_errors]\nuse = egg:swift#catch_errors\n'
        '[filter:s3api]\nuse = egg:swift#s3api\nlocation = us-east-1\n'
        f'[filter:tempauth]\nuse = egg:swift#tempauth\nuser_{account}_{user} = {secret_key} .admin\n'
        '[filter:slo]\nuse = egg:swift#slo\n'
        '[app:proxy-server]\nuse = egg:swift#proxy\naccount_autocreate = true\nallow_account_management = true\n'
    )
    serve(Cache(loadapp(write(folder, 'proxy.conf', text))), sockets['proxy'])
    print(sockets['proxy'].getsockname()[1], flush=True)
    eventlet.tpool.execute(sys.stdin.read)
    os._exit(0)


def write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, 'w') as file:
        file.write(text)
    return path


def make_ring(folder, name, port):
    builder = RingBuilder(2, 1, 0)
    place = {'ip': '127.0.0.1', 'port': port, 'replication_ip': '127.0.0.1', 'replication_port': port}
    builder.add_dev({'region': 1, 'zone': 1, 'weight': 1, 'device': 'disk', 'meta': '', **place})
    builder.rebalance()
    builder.get_ring().save(os.path.join(folder, f'{name}.ring.gz'))


def serve(app, socket):
    eventlet.spawn(wsgi.server, socket, app, log=Quiet(), debug=False)


main(*sys.argv[1:4])
