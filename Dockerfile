# The commands of this package, for CPU or, with CUDA's libraries from PyPI, for an NVIDIA GPU:
#
#   docker build --tag logan .
#   docker build --tag logan:gpu --build-arg EXTRAS='[gpu]' .
#
#   docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD:/data" logan logan-train --experiment=ring8
#   docker run --rm --gpus=all --user "$(id -u):$(id -g)" --volume "$PWD:/data" logan:gpu logan-train --experiment=ring8
#
# A GPU needs NVIDIA's driver and container toolkit on the host. Runs go to /data/runs.
FROM python:3.12-slim

ARG EXTRAS=""
ENV PIP_NO_CACHE_DIR=1 PYTHONUNBUFFERED=1

WORKDIR /src
COPY setup.cfg pyproject.toml constraints.txt README.md LICENSE ./
COPY logan logan
RUN pip install --constraint constraints.txt ".${EXTRAS}" && logan-train --version

# What NVIDIA's container toolkit hands in; nothing without a GPU.
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
# Any user may run it; matplotlib and Keras keep their caches there.
ENV HOME=/tmp
WORKDIR /data
CMD ["logan-train", "--help"]
